# Reads rules.txt, then C files, and prints "path:line: what is wrong" for each breach of a rule. Variables: function_max
# and function_aim (lines from the head of a function to its closing brace), file_max.
# It leans on the formatter: a function's braces stand alone in the first column.

function complain(text) { printf "%s:%d: %s\n", path, line, text; breaches++ }

function room_of(name) { return (name ~ /\//) ? substr(name, 1, index(name, "/") - 1) : "" }

# The file's last function and length are known when the next file begins.
function finish_file()
{
    if (path == "")
        return
    files++
    line = total
    if (total > file_max)
        complain("a file of " total " lines; the limit is " file_max)
}

# Strings and comments out, so that only code is left.
function code_of(text,    start, stop)
{
    gsub(/\\\\/, "", text)
    gsub(/\\"/, "", text)
    gsub(/'"'/, "' '", text)
    gsub(/"[^"]*"/, "\"\"", text)
    if (in_comment) {
        stop = index(text, "*/")
        if (!stop)
            return ""
        text = substr(text, stop + 2)
        in_comment = 0
    }
    sub(/\/\/.*/, "", text)
    while (start = index(text, "/*")) {
        stop = index(substr(text, start + 2), "*/")
        if (!stop) {
            in_comment = 1
            return substr(text, 1, start - 1)
        }
        text = substr(text, 1, start - 1) " " substr(text, start + stop + 3)
    }
    return text
}

function check_include(text,    quoted, name, other, prefix)
{
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", text)
    quoted = text ~ /^"/
    name = text
    sub(/^["<]/, "", name)
    sub(/[">].*/, "", name)
    if (quoted) {
        other = room_of(name)
        if (other == "")
            complain("include \"" name "\" by the path from the root")
        else if ((room in may) && (" " may[room] " ") !~ (" " other " "))
            complain(room "/ must not include " other "/")
        return
    }
    for (prefix in home)
        if (index(name, prefix) == 1 && path !~ home[prefix])
            complain("<" name "> belongs to " home[prefix])
}

function check_calls(code,    name)
{
    if (code !~ banned)
        return
    for (name in excused)
        if (code ~ ("(^|[^A-Za-z0-9_.>])" name "[ \t]*\\(") && path !~ excused[name])
            complain(name "() is banned here")
}

function check_function(text,    length_)
{
    if (text ~ /^[A-Za-z_]/ && (last == "" || last ~ /^[}#]/ || last ~ /\*\/$/))
        head = line
    if (text == "{")
        body = 1
    if (text == "}" && body) {
        body = 0
        length_ = line - head + 1
        lengths[++functions] = length_
        if (length_ > function_max)
            complain("a function of " length_ " lines; the limit is " function_max)
        else if (length_ > function_aim)
            long_ones++
    }
    last = text
}

FILENAME ~ /rules\.txt$/ {
    if ($1 == "room") {
        name = $2
        $1 = ""
        may[name] = $0
    } else if ($1 == "header") {
        home[$2] = $3
    } else if ($1 == "call") {
        excused[$2] = ($3 == "-") ? "^$" : $3
        banned = banned (banned == "" ? "" : "|") $2
    }
    next
}

FNR == 1 {
    finish_file()
    path = FILENAME
    sub(/^\.\//, "", path)
    room = room_of(path)
    in_comment = body = head = 0
    last = ""
}

{
    total = line = FNR
    if ($0 ~ /^[ \t]*#[ \t]*include/)
        check_include($0)
    else
        check_calls(code_of($0))
    check_function($0)
}

END {
    finish_file()
    for (i = 2; i <= functions; i++) { # insertion sort: the median is worth knowing and mawk has no asort
        value = lengths[i]
        for (j = i - 1; j > 0 && lengths[j] > value; j--)
            lengths[j + 1] = lengths[j]
        lengths[j + 1] = value
    }
    printf "%d C files, %d functions: median %d lines, %d above %d; %d breaches\n", files, functions,
        lengths[int((functions + 1) / 2)], long_ones, function_aim, breaches > "/dev/stderr"
    exit breaches > 0
}
