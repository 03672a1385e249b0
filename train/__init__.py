"""What makes the engines: datasets, the three published methods, fitting, honest evaluation and export."""
