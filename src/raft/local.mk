# Units of this folder.
libcore_a_SOURCES += \
	%D%/metadata_log.c %D%/metadata_log.h \
	%D%/quorum_state.c %D%/quorum_state.h \
	%D%/raft.c %D%/raft.h
if TESTS_POSSIBLE
raft_tests = \
	%D%/quorum_state_test \
	%D%/raft_test
check_PROGRAMS += $(raft_tests)
TESTS += $(raft_tests)
src_raft_quorum_state_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
