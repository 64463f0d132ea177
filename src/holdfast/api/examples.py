"""Examples of request bodies for the documentation, by the name of their type.

A test decodes each with the type it stands for.
"""

from typing import Any

_ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}

_TOKEN = "hfm_17gikDFSIZamFz9HRoi7OS0Bas6a8y_oMc2TVIJsooIWD87Kw"  # noqa: S105 - of nobody
_CART_TOKEN = "hfc_17gikDFSIZamFz9HRoi7OS0Bas6a8y_oMc2TVIJsooIWD87Kw"  # noqa: S105 - of nobody

EXAMPLES: dict[str, list[Any]] = {
    "AdjustmentsWanted": [
        {
            "reason": "damaged",
            "lines": [{"sku": "TEA-ASSAM-100", "delta": -2, "expected_on_hand": 40}],
        },
        {
            "kind": "receipt",
            "reason": "received",
            "reference": "DN-2026-118",
            "lines": [{"sku": "TEA-ASSAM-100", "location": "berlin", "delta": 144}],
        },
    ],
    "AttributeChanges": [{"choices": ["oak", "beech", "walnut"]}],
    "NewAttribute": [
        {
            "code": "material",
            "name": "Material",
            "type": "choice",
            "choices": ["oak", "beech"],
            "filterable": True,
        },
        {"code": "harvested", "name": "Harvested", "type": "date"},
    ],
    "CategoryChanges": [
        {"parent": "tea", "position": 2},
        {"name": "Green tea", "seo_title": "Green tea from Japan"},
    ],
    "CorrectedEmail": [{"email": "countess@example.com"}],
    "CollectionChanges": [
        {"status": "active", "publish_at": "2026-12-01T18:00:00Z"},
        {"rule": None, "sort": "manual"},
    ],
    "CollectionTexts": [{"title": "Geschenke bis 30 Euro"}],
    "CollectedWanted": [{"products": ["sencha", "iron-teapot"]}],
    "CollectedMove": [{"position": 1}],
    "NewCollected": [{"product": "sencha", "position": 1}],
    "NewCollection": [
        {
            "title": "Gifts under 30",
            "status": "active",
            "sort": "price",
            "rule": {
                "conditions": [
                    {"field": "tag", "values": ["gift", "set"]},
                    {"field": "price", "currency": "EUR", "most": 3000},
                    {"field": "available", "value": True},
                ]
            },
        },
        {"title": "What we drink ourselves"},
    ],
    "NewVariant": [
        {
            "sku": "TEA-ASSAM-250",
            "price": {"amount": 2690, "currency": "EUR"},
            "options": {"Size": "250 g"},
            "barcode": "4006381333931",
        }
    ],
    "RelatedWanted": [{"products": ["sencha", "iron-teapot"]}],
    "VariantEdits": [
        {"price": {"amount": 1290, "currency": "EUR"}, "barcode": "4006381333931"}
    ],
    "BackInStockWanted": [{"email": "ada@example.com"}],
    "CircuitWanted": [
        {"mode": "forced_open", "until": "2026-12-01T18:00:00Z"},
        {"mode": "metrics_only"},
    ],
    "CountedLines": [{"lines": [{"sku": "TEA-ASSAM-100", "counted": 38}]}],
    "DropChange": [{"per_minute": 600}],
    "LevelChanges": [{"safety_stock": 5, "low_stock_threshold": 20}],
    "LimitRule": [
        {"algorithm": "gradient", "least": 8, "most": 40},
        {"algorithm": "fixed", "most": 20},
    ],
    "LoadLevel": [{"level": 3, "seconds": 900}],
    "LoadShedding": [{"mode": "shadow"}],
    "LocationChanges": [{"priority": 2}, {"active": False}],
    "NewProductImage": [
        {"media_id": "01a20592-6c97-7ba1-9b7c-dc4a6a093c19", "position": 1}
    ],
    "ProductImageChanges": [{"position": 1}, {"alt": "The tin from behind"}],
    "MediaForm": [{"file": "(the bytes of the picture)", "alt": "A tin of tea"}],
    "MediaChanges": [{"alt": "A tin of Assam tea, open"}],
    "NewCount": [{"location": "berlin", "reference": "November"}],
    "NewDrop": [
        {
            "name": "Winter tea",
            "skus": ["TEA-ASSAM-100"],
            "opens_at": "2026-12-01T18:00:00Z",
            "max_units": 2,
        }
    ],
    "NewSynonyms": [
        {"synonyms": ["sofa", "couch", "settee"]},
        {"term": "laptop bag", "synonyms": ["briefcase"]},
    ],
    "NewLocation": [
        {"code": "berlin", "name": "Berlin", "priority": 1, "address": _ADDRESS}
    ],
    "NewTransfer": [
        {
            "source": "main",
            "destination": "berlin",
            "lines": [{"sku": "TEA-ASSAM-100", "quantity": 24}],
        }
    ],
    "CategoryTexts": [{"name": "Schwarzer Tee"}],
    "AttributeTexts": [{"name": "Holz", "choices": {"oak": "Eiche"}}],
    "ProductTexts": [
        {
            "title": "Assam, kr\u00e4ftig",
            "description_html": "<p>Malzig, mit Milch.</p>",
            "options": {
                "Weight": {"name": "Gewicht", "values": {"100 g": "100 Gramm"}}
            },
            "attributes": {"taste": "malzig"},
        }
    ],
    "RateLimitWanted": [
        {"tokens": 40, "period_seconds": 1, "burst": 200},
        {"tokens": 20, "period_seconds": 1, "burst": 100, "shadow": True},
        {"tokens": 300, "period_seconds": 1, "burst": 900, "plan": "wholesale"},
    ],
    "UnitsReceived": [{"lines": [{"sku": "TEA-ASSAM-100", "quantity": 12}]}],
    "ApprovalWanted": [
        {"instructions": "Send it to 1 Quay, Rotterdam, and put this e-mail inside."},
        {"exchange_now": True},
    ],
    "ReceiptWanted": [
        {"lines": [{"position": 1, "quantity": 2, "written_off": 1}]},
        {"restocking_fee": {"amount": 500, "currency": "EUR"}},
    ],
    "RejectionWanted": [{"explanation": "It was worn."}],
    "ReturnWanted": [
        {
            "lines": [{"position": 1, "quantity": 1}],
            "reason": "damaged",
            "text": "The lid is cracked.",
        },
        {
            "kind": "exchange",
            "lines": [{"position": 2, "quantity": 1}],
            "reason": "unwanted",
            "exchange_lines": [{"sku": "TEA-EARL-GREY-100", "quantity": 1}],
        },
    ],
    "AddressChanges": [{"line2": "Flat 2", "default_billing": True}],
    "AddressOnly": [{"email": "ada@example.com"}],
    "CancellationWanted": [
        {"reason": "customer"},
        {"reason": "inventory", "lines": [{"position": 2, "quantity": 1}]},
    ],
    "CartChanges": [
        {"email": "ada@example.com", "shipping_method": "standard"},
        {"shipping_address": _ADDRESS},
    ],
    "CartToMerge": [
        {"cart_id": "01a205d7-7ee5-7b3e-83a7-37581a5fa0e9", "token": _CART_TOKEN}
    ],
    "CheckoutWanted": [
        {"payment_method": "pm_card_ok"},
        {
            "payment_method": "pm_card_ok",
            "expected_total": {"amount": 4498, "currency": "EUR"},
        },
    ],
    "ClientChanges": [{"name": "Warehouse scanner", "scopes": ["inventory:read"]}],
    "CompletionWanted": [
        {"external": {"reference": "bank transfer 4711"}},
        {
            "payment_method": "pm_card_ok",
            "expected_total": {"amount": 4498, "currency": "EUR"},
        },
    ],
    "CustomerChanges": [{"phone": "+442079460018", "marketing": False}],
    "DraftChanges": [
        {"note": "Agreed by telephone", "shipping_method": "express"},
        {"lines": [{"sku": "TEA-ASSAM-100", "quantity": 50}]},
    ],
    "EditWanted": [
        {
            "lines": [{"position": 1, "quantity": 0}],
            "add": [{"sku": "TEA-EARL-GREY-100", "quantity": 1}],
        }
    ],
    "EmailChange": [
        {"email": "countess@example.com", "current_password": "a difference engine"}
    ],
    "EmailChangeConfirmation": [{"token": _TOKEN}],
    "EventWanted": [
        {"status": "delivered", "happened_at": "2026-11-30T11:25:00Z"},
    ],
    "ErasureWanted": [{"password": "correct horse battery staple"}],
    "FirstCode": [{"code": "492039"}],
    "HoldWanted": [{"until": "2026-12-01T18:00:00Z"}],
    "InvitationWanted": [{"send": True}, {}],
    "LevelWanted": [{"on_hand": 250, "reason": "Delivery of 27 November"}],
    "LineChanges": [{"quantity": 3}],
    "NewAddress": [{**_ADDRESS, "phone": "+442079460018", "default_shipping": True}],
    "NewCart": [
        {
            "lines": [{"sku": "TEA-ASSAM-100", "quantity": 2}],
            "email": "ada@example.com",
            "shipping_address": _ADDRESS,
            "shipping_method": "standard",
        },
        {},
    ],
    "NewCategory": [{"name": "Black tea"}],
    "NewClient": [
        {
            "name": "Tea club",
            "kind": "public",
            "redirect_uris": ["https://tea-club.example/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scopes": ["openid", "email", "orders:own"],
        },
        {
            "name": "Warehouse",
            "kind": "confidential",
            "grant_types": ["client_credentials"],
            "scopes": ["inventory:read", "inventory:write"],
        },
    ],
    "NewCustomer": [
        {
            "email": "ada@example.com",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "locale": "en-GB",
        }
    ],
    "CustomerGroupChanges": [{"name": "Wholesale, Benelux"}],
    "NewCustomerGroup": [{"code": "wholesale", "name": "Wholesale"}],
    "NewPriceList": [
        {
            "code": "black-friday",
            "name": "Black Friday",
            "starts_at": "2026-11-27T00:00:00Z",
            "ends_at": "2026-11-30T00:00:00Z",
        },
        {
            "code": "wholesale-2027",
            "name": "Wholesale 2027",
            "kind": "contract",
            "group_ids": ["01a205d7-7ee5-7b3e-83a7-37581a5fa0e9"],
        },
    ],
    "PriceListChanges": [{"ends_at": "2026-12-02T00:00:00Z"}, {"ends_at": None}],
    "PricesToSet": [
        {
            "prices": [
                {
                    "sku": "TEA-ASSAM-100",
                    "price": {"amount": 950, "currency": "USD"},
                },
                {
                    "sku": "TEA-ASSAM-100",
                    "price": {"amount": 790, "currency": "EUR"},
                    "min_quantity": 10,
                },
            ]
        },
        {
            "price_list_id": "01a205d7-7ee5-7b3e-83a7-37581a5fa0e9",
            "prices": [
                {
                    "sku": "TEA-ASSAM-100",
                    "price": {"amount": 690, "currency": "EUR"},
                    "compare_at_price": {"amount": 890, "currency": "EUR"},
                }
            ],
        },
    ],
    "NewDraft": [
        {
            "lines": [
                {
                    "sku": "TEA-ASSAM-100",
                    "quantity": 50,
                    "unit_price": {"amount": 750, "currency": "EUR"},
                }
            ],
            "email": "ada@example.com",
            "note": "Agreed by telephone",
        }
    ],
    "NewKey": [
        {"name": "Warehouse sync", "scopes": ["inventory:read", "inventory:write"]}
    ],
    "NewLine": [{"sku": "TEA-ASSAM-100", "quantity": 1}],
    "NewSession": [
        {
            "email": "ada@example.com",
            "password": "correct horse battery staple",
            "client_id": "client_0192f3c4000070008000000000000000",
        }
    ],
    "NewNote": [{"text": "Rang to say that the bell does not work."}],
    "NewProduct": [
        {
            "title": "Assam",
            "status": "active",
            "description_html": "<p>Malty, for milk.</p>",
            "vendor": "Holdfast Tea",
            "tags": ["black", "breakfast"],
            "options": [{"name": "Weight", "values": ["100 g", "250 g"]}],
            "variants": [
                {
                    "sku": "TEA-ASSAM-100",
                    "price": {"amount": 890, "currency": "EUR"},
                    "options": {"Weight": "100 g"},
                    "weight_grams": 120,
                },
                {
                    "sku": "TEA-ASSAM-250",
                    "price": {"amount": 1990, "currency": "EUR"},
                    "options": {"Weight": "250 g"},
                    "weight_grams": 280,
                },
            ],
        }
    ],
    "NewReservation": [{"lines": [{"sku": "TEA-ASSAM-100", "quantity": 2}]}, {}],
    "NewRole": [
        {
            "name": "gift_wrappers",
            "title": "Gift wrappers",
            "scopes": ["inventory:read", "orders:read"],
        }
    ],
    "NewUser": [{"email": "bob@example.com", "roles": ["support"]}],
    "OrderChanges": [
        {"shipping_address": _ADDRESS},
        {"email": "countess@example.com"},
    ],
    "OwnChanges": [
        {"given_name": "Ada", "locale": "en-GB", "time_zone": "Europe/London"},
        {"marketing": {"granted": True, "source": "account_page"}},
    ],
    "PasswordAgain": [{"password": "correct horse battery staple"}],
    "PasswordAndCode": [{"password": "correct horse battery staple", "code": "492039"}],
    "PasswordChange": [
        {
            "current_password": "a difference engine",
            "new_password": "a card of punched holes",
        }
    ],
    "ProductChanges": [
        {"status": "archived"},
        {
            "variants": [
                {"sku": "TEA-ASSAM-100", "price": {"amount": 950, "currency": "EUR"}}
            ]
        },
    ],
    "RefundWanted": [
        {"reason": "damaged", "amount": {"amount": 500, "currency": "EUR"}},
        {"reason": "late", "lines": [{"position": 1, "quantity": 1}]},
    ],
    "ResetConfirmation": [{"token": _TOKEN, "password": "an analytical engine"}],
    "RoleChanges": [{"scopes": ["inventory:read", "orders:read"]}],
    "SecondStep": [
        {
            "challenge": "AQAB...",
            "code": "492039",
            "client_id": "client_0192f3c4000070008000000000000000",
        }
    ],
    "ShipmentWanted": [
        {},
        {"location": "main", "lines": [{"position": 1, "quantity": 2}]},
        {"by": "hand", "tracking_number": "BIKE-17"},
    ],
    "SignUpConfirmation": [
        {"token": _TOKEN, "password": "a difference engine", "given_name": "Ada"}
    ],
    "UserChanges": [{"status": "disabled"}],
}
