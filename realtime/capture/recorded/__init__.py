"""What was recorded: videos, folders of pictures, pictures; how they are decoded, played, and written."""
