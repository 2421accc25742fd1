"""Stage ``patch``: does a patch chosen by a comparison atlas turn one class into the other?"""
