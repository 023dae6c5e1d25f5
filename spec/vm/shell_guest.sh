#!/bin/sh
# In a guest: runs the lines that come over the serial line and says how each ended, until `exit`.
export LD_LIBRARY_PATH=/run/job
echo "guest: ready"
while read -r line; do
	eval "$line"
	echo "guest: status $?"
done
