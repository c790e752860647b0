"""Block DCT: what DuetFace, PartialFace and MinusFace make of a face before anything else."""
