"""Speed, measured in one run beside what the machine itself can do, and told as ratios."""
