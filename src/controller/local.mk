# Units of this folder.
libcore_a_SOURCES += %D%/controller.h
