"""The doctor: looks at each thing that a call needs, one after the other, and says what is wrong and what to do."""
