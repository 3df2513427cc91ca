# The C side of the wire oracle; ./run builds it and the Java side, and runs both.
EXTRA_PROGRAMS += %D%/peer
compat_tests_wire_oracle_peer_SOURCES = %D%/peer.c
compat_tests_wire_oracle_peer_LDADD = libproto.a $(CORE_LIBS)
CLEANFILES += %D%/peer
EXTRA_DIST += %D%/pom.xml %D%/run \
	%D%/src/main/java/odradek/Messages.java %D%/src/main/java/odradek/Peer.java \
	%D%/src/main/java/odradek/RandomBytes.java %D%/src/main/java/odradek/WireOracle.java
