"""The five services of Afterword and the command that starts them."""
