# Units of this folder.
libcore_a_SOURCES += \
	%D%/quorum_state.c %D%/quorum_state.h \
	%D%/raft.c %D%/raft.h
