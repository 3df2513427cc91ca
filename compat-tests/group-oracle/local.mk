# The C side of the group oracle; ./run builds it and the Java side, and runs both.
EXTRA_PROGRAMS += %D%/peer
compat_tests_group_oracle_peer_SOURCES = %D%/peer.c
compat_tests_group_oracle_peer_LDADD = $(CORE_LIBS)
CLEANFILES += %D%/peer
EXTRA_DIST += %D%/GroupOracle.java %D%/run
