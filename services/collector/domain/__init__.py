"""What the collector decides: is this an answer, whose is it, and when may it count?"""
