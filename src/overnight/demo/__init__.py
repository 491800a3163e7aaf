"""The demo study: fictional abstracts with a truth known by construction, and a fetch of a public real set.

draw        seeded choices that are the same on every platform and Python version
phrases     sentence patterns -> sentences
kinds       kinds of fictional study, read from texts/*.toml
compose     a kind -> the title and sentences of one abstract
oddities    what real exports do to texts
abstracts   kinds -> records                                    make_records
example     records -> study.yaml, records.csv, truth.csv       write_example
pubmedqa    the public PubMedQA set, over the network           fetch_pubmedqa
"""
