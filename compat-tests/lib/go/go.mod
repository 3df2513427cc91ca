module odradek/compat/kit

go 1.21
