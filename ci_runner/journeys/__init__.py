"""Read this first: each module here tells one journey, from the command that starts it to what it leaves behind.

lint     read a directory, find what changed, judge it, replay it, report
ci       decide what a CI run is for; lint and publish, or push
push     check a directory and put it into the registry
versions pull, log, verify: reading the registry
explain · listing · hashing · init · doctor   one question each

``base`` finds what a change is compared with, ``oracle`` replays it, ``publication`` puts the result into words for a platform;
``ground`` is what all of them stand on. Journeys call stations and hand values on; decisions and work are the stations'.
"""
