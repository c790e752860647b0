"""Networks of the npm package ``@vladmandic/human`` that say what can be seen of a face."""
