"""Every private part of Gradio and of uvicorn that FaceWhy touches, and why."""
