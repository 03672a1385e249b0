"""The page: a subscriber that knows nothing of the pipeline.

serve -> app -> websocket -> page   an address, its routes, and what all visitors share
visit                               one browser: what it may do, and what it is told
recording                           what visitors take along
access                              who may come in
upstream                            the link to the recogniser
"""
