# Units of this folder.
libcore_a_SOURCES += %D%/group_coordinator.h
