"""Names of the town: companies that write, what people call things, people."""

# name in addresses, name for people, tag
COMPANIES = (
    ("fernhill-bakery", "Fernhill Bakery", "shops"),
    ("northlight-books", "Northlight Books", "shops"),
    ("harbour-cycles", "Harbour Cycles", "shops"),
    ("tallow-candles", "Tallow & Sons Candles", "shops"),
    ("greenlane-seeds", "Greenlane Seeds", "shops"),
    ("old-press-records", "Old Press Records", "shops"),
    ("loom-and-thread", "Loom and Thread", "shops"),
    ("copper-kettle", "The Copper Kettle", "shops"),
    ("coastline-rail", "Coastline Rail", "travel"),
    ("sparrow-air", "Sparrow Air", "travel"),
    ("hostel-lantern", "Hostel Lantern", "travel"),
    ("ferrybooking", "Ferry Booking", "travel"),
    ("second-savings", "Second Savings Bank", "money"),
    ("mutual-insurance", "Mutual Insurance", "money"),
    ("tax-office", "Tax Office", "money"),
    ("citywater", "City Water", "house"),
    ("brightside-energy", "Brightside Energy", "house"),
    ("tenants-union", "Tenants' Union", "house"),
    ("fibre-net", "Fibre Net", "house"),
    ("morning-letter", "The Morning Letter", "news"),
    ("slow-science", "Slow Science Weekly", "news"),
    ("parish-gazette", "Parish Gazette", "news"),
    ("kernel-digest", "Kernel Digest", "news"),
    ("dr-amari", "Dr. Amari's practice", "health"),
    ("riverside-dental", "Riverside Dental", "health"),
    ("pharmacy-sage", "Pharmacy Sage", "health"),
    ("climbing-club", "Climbing Club", "clubs"),
    ("choir", "Choir", "clubs"),
    ("school-board", "School Board", "clubs"),
    ("chess-evening", "Chess Evening", "clubs"),
    ("code-harbour", "Code Harbour", "work"),
    ("standup-bot", "Standup Bot", "work"),
    ("payroll", "Payroll", "work"),
    ("conference-desk", "Conference Desk", "work"),
)
STRANGERS = ("winner", "crypto-desk", "parcel-held", "invoice", "support-team", "prize", "account-locked", "loans")
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fable", "grove", "heron", "iris", "juniper", "kelp", "linden")
MEMBERS = ("ravi", "mei", "tomas", "ilse", "amina", "jonah", "pia", "kofi", "lena", "oscar", "yuki", "bruno")
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
