# Folds `perf script` into a line for each stack, outermost function first, with how often it was seen:
# "web;MHD_run;request_answer;… 42". The thread's name is the root.
function flush_stack(    i, line)
{
    if (depth == 0)
        return
    line = thread
    for (i = depth; i >= 1; i--)
        line = line ";" frame[i]
    seen[line]++
    depth = 0
}

# A library without symbols counts as one function.
function name_of(symbol, where,    library)
{
    sub(/\+0x[0-9a-f]+$/, "", symbol)
    gsub(/[;<>&"]/, "", symbol)
    if (symbol != "[unknown]")
        return symbol
    library = where
    gsub(/.*\/|[()]/, "", library)
    sub(/\.so.*/, "", library)
    return "[" library "]"
}

/^[^ \t]/ { flush_stack(); thread = $0; sub(/ +[0-9]+(\/[0-9]+)? .*/, "", thread); next }
/^[ \t]+[0-9a-f]+ / {
    where = $NF
    symbol = $2
    name = name_of(symbol, where)
    if (depth == 0 || frame[depth] != name || name !~ /^\[/)
        frame[++depth] = name
    next
}
END {
    flush_stack()
    for (line in seen)
        print line, seen[line]
}
