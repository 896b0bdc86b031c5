"""Brain MR and breast ultrasound images: sheets, pictures, and what is in them twice."""
