# Units of this folder.
libio_a_SOURCES += \
	%D%/connection.c %D%/connection.h \
	%D%/connection_limits.c %D%/connection_limits.h \
	%D%/line_limit.h \
	%D%/listener.c %D%/listener.h \
	%D%/mailbox.c %D%/mailbox.h \
	%D%/reactor.c %D%/reactor.h \
	%D%/reply.c
