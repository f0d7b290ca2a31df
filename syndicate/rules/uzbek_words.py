"""Uzbek words whose ends mislead, in the letters they are compared in (uzbek.canonical)."""

# They end as if they had an ending.
KEPT = """
aholi foyda qoida modda soda kanada
namangan organ
dollar
asos meros nafas biznes
maqsad fond band rekord trend brend stend farzand daromad sarhad samarqand dard
maktab talab sabab kitob hisob
kengaş
tuman vatan oltin zamin plan
"""

# Two letters long, so nothing could be taken off them otherwise.
SHORT = "ot oy uy el er iş it ip ov öt öq ön un"

# What is left of them before an ending that begins with a vowel.
RESTORED = """
şahr:şahar örn:örin oğz:oğiz öğl:öğil köngl:köngil burn:burun qorn:qorin bağr:bağir singl:singil boyn:böyin
"""

# They end in a vowel that is their own, where others of that vowel would have an ending behind a consonant.
OPEN = "savdo buxoro fuqaro baho xalqaro radio video kino mavzu orzu aholi yangi taşqi ikki"
