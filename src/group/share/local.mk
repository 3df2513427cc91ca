# Units of this folder: share groups (KIP-932).
libcore_a_SOURCES += \
	%D%/share_assignor.c %D%/share_assignor.h \
	%D%/share_group.c %D%/share_group.h \
	%D%/share_group_admin.c %D%/share_group_admin.h \
	%D%/share_group_beat.c %D%/share_group_beat.h \
	%D%/share_group_init.c %D%/share_group_init.h \
	%D%/share_group_records.c %D%/share_group_records.h \
	%D%/share_groups.c %D%/share_groups.h \
	%D%/share_topics.c %D%/share_topics.h
if TESTS_POSSIBLE
check_PROGRAMS += %D%/share_group_test
TESTS += %D%/share_group_test
endif
