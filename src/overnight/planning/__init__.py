"""The idea of the whole, in one room: wanted − settled − in flight = to send. Pure: values in, values out."""
