"""What a terminal shows and hears: text, progress, pictures, live views, questions, signals."""
