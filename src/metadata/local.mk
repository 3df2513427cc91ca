# Units of this folder.
libcore_a_SOURCES += \
	%D%/bootstrap.c %D%/bootstrap.h \
	%D%/control.c %D%/control.h \
	%D%/delta.c %D%/delta.h \
	%D%/feature_versions.c %D%/feature_versions.h \
	%D%/image.c %D%/image.h \
	%D%/image_writer.c %D%/image_writer.h \
	%D%/metadata.h %D%/image_read.c \
	%D%/metadata_record.c %D%/metadata_record.h \
	%D%/replay.c %D%/replay.h \
	%D%/snapshot.c %D%/snapshot.h
EXTRA_DIST += %D%/testdata/replay_fuzz %D%/check_replay_fuzz.sh
EXTRA_DIST += %D%/testing_image.h \
	%D%/testdata/README \
	%D%/testdata/00000000000000000000-0000000000.checkpoint \
	%D%/testdata/00000000000000000000.log \
	%D%/testdata/00000000000000000109-0000000003.checkpoint \
	%D%/testdata/bootstrap.checkpoint \
	%D%/testdata/leader-epoch-checkpoint \
	%D%/testdata/partition.metadata \
	%D%/testdata/quorum-state
if TESTS_POSSIBLE
metadata_tests = \
	%D%/replay_test \
	%D%/snapshot_test
check_PROGRAMS += $(metadata_tests)
TESTS += $(metadata_tests)
check_PROGRAMS += %D%/replay_fuzz
TESTS += %D%/check_replay_fuzz.sh
src_metadata_replay_fuzz_SOURCES = %D%/replay_fuzz.c $(FUZZ_MAIN)
src_metadata_replay_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
src_metadata_replay_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_metadata_snapshot_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
