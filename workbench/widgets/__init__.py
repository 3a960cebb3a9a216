"""What the pages are put together from: Streamlit widgets and layout, no method and no storage."""
