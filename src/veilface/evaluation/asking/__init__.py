"""Line-ups for people: who sees what, the pages and sheets, and what the answers say."""
