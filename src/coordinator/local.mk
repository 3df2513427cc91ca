# Units of this folder.
libcore_a_SOURCES += %D%/coordinator.c %D%/coordinator.h
