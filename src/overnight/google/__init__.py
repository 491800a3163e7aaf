"""Google's services over HTTP: the only room that sends anything to the cloud, Google's or the local one.

endpoints, auth            where requests go and where credentials may go; who we are
http, errors               JSON calls: repeated, or sent once; Google's replies → our error tree
batch_jobs, gemini         jobs; one request at a time
storage, storage_errors,   objects, streamed and checksummed through Google's own client
upload_stream
preflight, locations,      what `check --cloud` looks at, and the commands of `check --print-setup`
setup_script
"""
