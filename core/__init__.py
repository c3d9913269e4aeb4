"""Labels, documents, formats, extraction and scoring. Nothing here imports gradio."""
