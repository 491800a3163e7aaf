"""A Google Cloud of one machine: Cloud Storage and Vertex AI batch over HTTP, on disk, in a process of its own.

A stranger to the rest of the package: it imports nothing of ours and nothing of ours imports it. It is started with
`python -m overnight.localcloud --port 0 --data DIR` and reached over HTTP only, by Google's clients as by ours. What
it does, and where it knows that from, is in docs/reference/local-cloud.md.

    __main__, home, server   start, one process a folder, endpoint.json, clean end
    app, guard, errors       one Starlette app, loopback only, Google's error shape
    database, journal        state.sqlite; journal.sqlite: what was accepted, served and written, append-only
    switches, control        what is not known, by name; routes under /control
    faults/, directory       what is to go wrong: plans with a scope and a count of strikes; whom a call is about
    storage/                 buckets, objects, uploads
    vertex/                  batch jobs, importer's rules, rows, output; generateContent, countTokens
    standin/                 what answers: deterministic, aware of schemas, never a model
"""
