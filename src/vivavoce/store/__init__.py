"""What the processes of one service share: small facts with an end date, notices, and short logs."""
