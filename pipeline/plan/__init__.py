"""What a run takes before anything runs: icons, disk, memory and time of each stage; and whether it can run at all."""
