"""Line → outcome: parse, match, verify, validate; quotes, votes, decisions. Pure: values in, values out."""
