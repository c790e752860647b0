"""From rendered strangers to the bank that ships: cut out, judged, chosen, packed."""
