"""What an attacker would try on protected images."""
