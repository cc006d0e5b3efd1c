"""What a trial is: protocol, draw, calendar, diary. Pure: the clock and the random bits are arguments."""
