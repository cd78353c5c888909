"""Takes due messages out of the house: claim, last look, hand over, record; minds what a worker left."""
