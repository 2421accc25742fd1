"""Stage ``patch``: does pasting a patch chosen by a comparison atlas make the network predict the other class?"""
