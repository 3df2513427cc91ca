# Units of this folder.
libcore_a_SOURCES += \
	%D%/metadata_log.c %D%/metadata_log.h \
	%D%/quorum_state.c %D%/quorum_state.h \
	%D%/raft.c %D%/raft.h
