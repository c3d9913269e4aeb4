"""The annotator: a Gradio component with its own script and style."""
