"""Faults as resources: what is to go wrong, where, when, and how often it did.

A plan (plan.py) has a name, a kind with parameters, a scope (scope.py) and a when (when.py). Its strikes are kept on
disk and counted before a client can see their effect (book.py). One kind is one small class:

    http.py       a call fails: status, reset, refused, stalled, slow, cut, wrong checksum     over the whole app
    create.py     a job made twice; a job listed late                                          over the whole app, lists
    jobs.py       what becomes of a job, at which point of its life                            vertex/runner.py
    output.py     lines and files of output                                                    vertex/rows.py, ends.py
    rows.py       what one row was answered                                                    vertex/rows.py

catalogue.py names them all and prints the tables of docs/reference/faults.md. The switches of the group "Faults on
demand" are plans too (switched.py): there is one mechanism.
"""
