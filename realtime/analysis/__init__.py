"""Video files in, what was found in them out: a folder for each, with tables, a report, and an annotated video.

    place       where results go, and what is never overwritten
    look        one file through the live pipeline, as fast as it goes
    upright     whether a picture without a face lies on its side
    events      the events as JSON
    annotate    the pictures again, with what was found drawn into them
    worker      one process, which opens the engines once and looks at file after file
    team        several of them, so that all cores work
    progress    how far all of it is, and for how long it will go on
    results     what became of each file, as a table

Nothing here opens a socket.
"""
