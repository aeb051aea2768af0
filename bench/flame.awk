# flame.awk FOLDED >flame.svg: a folded profile as a picture. A box is a function, as wide as its share of the processor's
# time, and stands on the one that called it; hovering shows its name and share.
function escape(text)
{
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}

function colour(name, depth,    i, sum)
{
    for (i = 1; i <= length(name); i++)
        sum += index(letters, substr(name, i, 1)) * i
    return sprintf("rgb(%d,%d,%d)", 205 + sum % 50, 90 + (sum * 7) % 110, (name ~ /^\[/ ? 90 : 30) + sum % 30)
}

function draw(node, x, depth,    i, width, child, y, label)
{
    width = count[node] * scale
    if (width < 1)
        return
    y = height - (depth + 1) * row
    label = sprintf("%s (%.1f %%)", escape(name[node]), 100 * count[node] / count[0])
    printf "<g><title>%s</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>", label, x, y, \
        width, row - 1, colour(name[node])
    if (width > 30)
        printf "<text x=\"%.1f\" y=\"%d\">%s</text>", x + 2, y + row - 5, escape(substr(name[node], 1, width / 6.2))
    print "</g>"
    for (i = 1; i <= children[node]; i++) {
        child = child_of[node, i]
        draw(child, x, depth + 1)
        x += count[child] * scale
    }
}

BEGIN {
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789[]"
    total_width = 1200
    row = 16
    name[0] = "all"
}

{
    samples = $NF
    sub(/ [0-9]+$/, "")
    depth = split($0, frame, ";")
    deepest = depth > deepest ? depth : deepest
    node = 0
    count[0] += samples
    for (i = 1; i <= depth; i++) {
        if (!((node, frame[i]) in known)) {
            known[node, frame[i]] = ++nodes
            child_of[node, ++children[node]] = nodes
            name[nodes] = frame[i]
        }
        node = known[node, frame[i]]
        count[node] += samples
    }
}

END {
    scale = total_width / count[0]
    height = (deepest + 1) * row
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"monospace\" font-size=\"10\">\n", \
        total_width, height
    draw(0, 0, 0)
    print "</svg>"
}
