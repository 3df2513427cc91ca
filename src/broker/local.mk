# Units of this folder.
libio_a_SOURCES += \
	%D%/broker.c %D%/broker.h \
	%D%/glue_request.c %D%/glue_request.h \
	%D%/network.c %D%/network.h

bin_PROGRAMS += odradekd
odradekd_SOURCES = %D%/main.c
odradekd_LDADD = $(IO_LIBS)
