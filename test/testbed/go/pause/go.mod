module seaworthy.test/testbed/pause

go 1.26
