"""The Gradio app, a module a tab. Nothing here imports torch: models load behind core.extraction."""
