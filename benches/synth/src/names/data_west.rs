//! British, Irish and other Western European names. The commonest first: the rank gives the frequency.

use super::culture::{Culture, Origin, Pattern};

/// Cultures of this file.
pub(super) const CULTURES: &[Culture] = &[
    Culture {
        name: "british",
        origin: Origin::British,
        weight: 330,
        language: "en",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("GB", 970), ("AU", 10), ("CA", 8), ("ZA", 6), ("US", 6)],
        male: "David John Michael/Mike James/Jim Paul Robert/Rob/Bob Andrew/Andy Peter Mark Stephen/Steven/Steve \
               Christopher/Chris Daniel/Dan Matthew/Matt Thomas/Tom Anthony/Tony William/Will/Bill Richard/Rick Joseph/Joe \
               Simon Lee Jack Joshua/Josh Ryan Ian/Iain Kevin Gary Stuart/Stewart Jason Craig Benjamin/Ben Adam Luke \
               Samuel/Sam George Martin Philip/Phillip/Phil Neil/Neal Graham/Graeme Alan/Allan/Alun Kenneth/Ken Jonathan/Jonathon \
               Nathan Callum/Calum Kieran/Kieron Jordan Connor/Conor Liam Scott Darren Wayne Gareth Rhys/Reece Dylan \
               Alfie Harry Oliver/Ollie Owen Hamish Angus Duncan Ewan/Euan/Ewen",
        female: "Susan/Sue Margaret/Maggie Sarah/Sara Karen Jacqueline/Jackie Patricia/Pat Elizabeth/Liz/Beth Helen Julie \
                 Linda Christine/Chris Emma Claire/Clare Laura Rebecca/Becky Nicola/Nicky Michelle Amanda/Mandy Deborah/Debra/Debbie \
                 Tracey/Tracy Joanne/Jo Alison/Allison Lisa Angela Sharon Samantha/Sam Jennifer/Jenny Victoria/Vicky \
                 Rachel/Rachael Louise Gemma/Jemma Katherine/Catherine/Kathryn/Kate Hannah/Hanna Charlotte Amy/Aimee Lauren \
                 Jessica/Jess Chloe Sophie/Sofie Emily Megan/Meghan Bethany/Beth Abigail/Abi Lucy Olivia Grace Holly \
                 Kirsty/Kirstie Fiona Shona Morag Eilidh Sian Rhiannon Bronwen Dorothy/Dot Irene Maureen",
        surnames: "Smith/Smyth Jones Taylor/Tayler Williams/William Brown/Browne Davies/Davis Evans Wilson/Willson Thomas Roberts \
                   Johnson/Johnston Lewis Walker Robinson Wood/Woods Thompson/Thomson White/Whyte Watson Jackson Wright Green/Greene \
                   Harris Cooper King Lee/Leigh Martin/Martyn Clarke/Clark/Clerk James Morgan Hughes Edwards Hill Moore/Moor Clark \
                   Harrison Scott Young Morris/Maurice Hall Ward Turner Carter Phillips/Philips Mitchell Patrick Adams Campbell \
                   Anderson Allen/Allan Cook/Cooke Bailey/Bayley Parker Miller Davis Murphy Price Bell Baker Griffiths/Griffith \
                   Kelly/Kelley Simpson Marshall Collins Bennett/Bennet Cox Richardson Fox Gray/Grey Rose Chapman Hunt Robertson Shaw \
                   Reynolds Lloyd Ellis Richards Russell Wilkinson Khan Graham Stewart/Stuart Reid/Reed/Read Murray Powell Palmer \
                   Holmes Rogers/Rodgers Stevens/Stephens Walsh Hunter Thomson Matthews Ross Owen Mason Knight Kennedy Butler Saunders \
                   Macdonald/McDonald MacLeod/McLeod McKenzie/Mackenzie MacKay/McKay Fraser/Frazer Sutherland Ferguson/Fergusson Pearce/Pierce",
        stems: "Ash Black Brad Brom Burn Clay Cran Dun Elling Farn Gold Had Hart Hazel Holling Kirk Lang Lind Marl Mel Nether North \
                Oak Pem Quen Rad Raven Ros Shel Stan Sut Thorn Under Wal Wether Whit Wil Win Wood Yar",
        endings: "ford ham ton well ley field worth wood bury by combe croft den dale gate grove hurst man more ridge shaw stead \
                  stone thorpe wick",
        tail_per_mille: 230,
    },
    Culture {
        name: "irish",
        origin: Origin::British,
        weight: 45,
        language: "en-IE",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("IE", 750), ("GB", 250)],
        male: "Patrick/Paddy/Pat John/Sean Michael/Mick James/Seamus Thomas Daniel Séan/Sean/Shaun/Shawn Brian/Bryan Conor/Connor Declan \
               Eoin/Owen/Eoghan Ciarán/Kieran/Ciaran Niall Cathal/Cahal Padraig/Pádraig Oisín/Oisin Diarmuid/Dermot Fergal/Feargal Cillian/Killian \
               Ruairí/Rory/Ruari Darragh/Dara Cormac Donal/Dónal Aidan/Aodhan Colm/Colum Brendan Gerard/Gerry Eamon/Eamonn/Éamonn",
        female: "Mary/Maire Margaret Kathleen/Cathleen Bridget/Brigid/Bríd Anne/Áine Siobhán/Siobhan/Shevaun Aoife/Eefa Niamh/Neve Sinéad/Sinead \
                 Ciara/Keira/Kiera Caoimhe/Keeva Róisín/Roisin/Rosheen Orla/Orlagh Gráinne/Grainne/Grania Saoirse/Seersha Eimear/Emer \
                 Deirdre/Deidre Maeve/Medb Fionnuala/Finola Nuala Sorcha Clodagh Bernadette Geraldine Teresa/Theresa Noreen",
        surnames: "Murphy/Murphey Kelly/O'Kelly O'Sullivan/Sullivan Walsh/Welsh/Walshe Smith O'Brien/O'Bryan Byrne/Byrnes/Burn O'Connor/Connor O'Neill/O'Neil/Neill \
                   O'Reilly/Reilly/Riley Doyle McCarthy/MacCarthy Gallagher/Gallaher O'Doherty/Doherty/Dougherty Kennedy Lynch Murray Quinn/O'Quinn \
                   Moore McLoughlin/McLaughlin/MacLochlainn Carroll/O'Carroll Connolly/Conolly Daly/Daley O'Connell/Connell Wilson Dunne/Dunn \
                   Brennan Burke/Bourke Collins Campbell Clarke Johnston Hughes O'Farrell/Farrell Fitzgerald/Fitz-Gerald Brown Martin Maguire/McGuire \
                   Nolan Flynn/O'Flynn Thompson O'Callaghan/Callaghan O'Donnell/Donnell Duffy Mahony/O'Mahony Boyle/O'Boyle Healy/Healey O'Shea/Shea \
                   McGrath/Magrath Keane/Kane",
        stems: "Mc Mac O' Fitz",
        endings: "Ardle Bride Cann Corry Dermott Elroy Fadden Ginty Gowan Hale Inerney Kenna Keown Mahon Nally Namara Parland \
                  Quaid Quillan Tiernan Vey Williams",
        tail_per_mille: 120,
    },
    Culture {
        name: "french",
        origin: Origin::WestEuropean,
        weight: 28,
        language: "fr",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("FR", 800), ("BE", 120), ("CH", 50), ("LU", 30)],
        male: "Jean Pierre Michel Philippe/Filip Alain Nicolas Christophe Laurent Frédéric/Frederic François/Francois Sébastien/Sebastien Julien \
               Stéphane/Stephane Olivier Thierry Jérôme/Jerome Éric/Eric Bruno Mathieu/Matthieu Guillaume Antoine Benoît/Benoit Clément/Clement \
               Rémi/Remy/Rémy Hugo Théo/Theo Jean-Luc/Jeanluc Jean-Pierre Loïc/Loic Gaël/Gael",
        female: "Marie Nathalie/Natalie Isabelle/Isabel Sylvie Catherine Françoise/Francoise Valérie/Valerie Sandrine Céline/Celine Stéphanie/Stephanie \
                 Véronique/Veronique Sophie Émilie/Emilie Aurélie/Aurelie Camille Léa/Lea Manon Chloé/Chloe Hélène/Helene Anaïs/Anais Brigitte \
                 Monique Élodie/Elodie Mélanie/Melanie Marie-Claire Solène/Solene Maëlle/Maelle",
        surnames: "Martin Bernard Dubois/Du_Bois Thomas Robert Richard Petit Durand/Durant Leroy/Le_Roy Moreau Simon Laurent Lefebvre/Lefèvre/Lefebure \
                   Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André/Andre Lefèvre/Lefevre Mercier Dupont/Dupond Lambert Bonnet \
                   François/Francois Martinez Legrand/Le_Grand Garnier Faure Rousseau Blanc Guérin/Guerin Muller/Müller Henry Roussel Nicolas Perrin \
                   Morin Mathieu Clément Gauthier/Gautier Dumont Lopez Fontaine Chevalier Robin Peeters Janssens",
        stems: "Beau Bel Bon Cham Clair Cour Des Du Fon Grand Haut La Le Mal Mont Neu Ro Saint- Tour Val Ville",
        endings: "bert camp champ chène court fort lieu mard mont neuve pin rel roche rive soleil tier vallon voisin",
        tail_per_mille: 200,
    },
    Culture {
        name: "german",
        origin: Origin::WestEuropean,
        weight: 28,
        language: "de",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("DE", 800), ("AT", 130), ("CH", 70)],
        male: "Peter Michael Thomas Andreas Wolfgang Klaus/Claus Jürgen/Juergen/Jurgen Günter/Guenter/Günther/Gunter Stefan/Stephan Christian Uwe Werner \
               Horst Frank Dieter Manfred Gerhard/Gerhardt Hans Bernd/Bernt Torsten/Thorsten Matthias/Mathias Jörg/Joerg/Jorg Martin Alexander Tobias \
               Lukas/Lucas Jonas Finn Björn/Bjoern/Bjorn Sören/Soeren/Soren Ralf/Ralph Heinz",
        female: "Ursula Maria Monika Petra Elisabeth/Elisabet Sabine Renate Andrea Claudia/Klaudia Susanne/Susanna Gabriele Birgit Angelika Julia Anna \
                 Katrin/Kathrin/Catrin Stefanie/Stephanie Bärbel/Baerbel Käthe/Kaethe/Kathe Heike Anja Silke Nicole Melanie Lena Hannah/Hanna Jutta Grete/Greta \
                 Brigitte/Birgitte Ingrid",
        surnames: "Müller/Mueller/Muller Schmidt/Schmitt/Schmid Schneider Fischer Weber Meyer/Meier/Maier/Mayer Wagner Becker Schulz/Schultz/Schulze Hoffmann/Hofmann \
                   Schäfer/Schaefer/Schafer Koch Bauer Richter Klein Wolf/Wolff Schröder/Schroeder/Schroder Neumann/Naumann Schwarz/Schwartz Zimmermann Braun Krüger/Krueger/Kruger \
                   Hofmann Hartmann Lange Werner Krause/Krauße/Krausse Lehmann Köhler/Koehler/Kohler Herrmann/Hermann König/Koenig/Konig Walter/Walther Mayer Huber Kaiser Fuchs \
                   Peters Lang Scholz Möller/Moeller/Moller Weiß/Weiss/Weis Jung Hahn Vogel Keller Günther/Guenther Böhm/Boehm/Bohm Groß/Gross Jäger/Jaeger/Jager Strauß/Strauss",
        stems: "Acker Berg Blumen Brücken Buch Eichen Feld Grün Hagen Hirsch Kirch Linden Löwen Mühl Neu Rosen Roth Schön Silber Stein Wald Wein Winter",
        endings: "bach baum berg burg dorf feld hof hauer heim holz mann meier müller stein thal wald",
        tail_per_mille: 220,
    },
    Culture {
        name: "spanish",
        origin: Origin::WestEuropean,
        weight: 26,
        language: "es",
        script: "Latn",
        pattern: Pattern::TwoSurnames,
        nationalities: &[("ES", 600), ("CO", 120), ("EC", 80), ("MX", 80), ("AR", 70), ("PE", 50)],
        male: "Antonio José/Jose Manuel Francisco/Paco Juan David José_Antonio/Jose_Antonio Javier/Xavier Daniel José_Luis/Jose_Luis Francisco_Javier Carlos Jesús/Jesus Alejandro \
               Miguel Rafael Pedro Pablo Ángel/Angel Sergio Fernando Jorge Luis Alberto Álvaro/Alvaro Adrián/Adrian Diego Raúl/Raul Iván/Ivan Rubén/Ruben Óscar/Oscar Andrés/Andres Íñigo/Inigo",
        female: "María_Carmen/Maria_Carmen María/Maria Carmen Ana_María/Ana_Maria Josefa Isabel/Ysabel María_Pilar/Maria_Pilar María_Dolores/Maria_Dolores Laura Ana Cristina Marta/Martha Francisca Lucía/Lucia \
                 Antonia Dolores Sara Paula Elena/Helena Raquel Pilar Concepción/Concepcion Mercedes Rosa Silvia/Sylvia Beatriz Rocío/Rocio Nuria/Núria Inés/Ines Verónica/Veronica Yolanda/Iolanda",
        surnames: "García/Garcia Rodríguez/Rodriguez González/Gonzalez/Gonzales Fernández/Fernandez López/Lopez Martínez/Martinez Sánchez/Sanchez Pérez/Perez Gómez/Gomez Martín/Martin Jiménez/Jimenez/Giménez Hernández/Hernandez \
                   Ruiz/Ruis Díaz/Diaz Moreno Muñoz/Munoz Álvarez/Alvarez Romero Gutiérrez/Gutierrez Alonso Navarro Torres Domínguez/Dominguez Ramos Vázquez/Vasquez/Vazquez Ramírez/Ramirez Gil Serrano Molina Morales Suárez/Suarez \
                   Ortega Delgado Castro Ortiz Rubio Marín/Marin Sanz/Sáenz Núñez/Nunez Iglesias Medina Garrido Cortés/Cortes Castillo Santos Lozano Guerrero Cano Prieto Méndez/Mendez Cruz/de_la_Cruz Peña/de_la_Peña/Pena Quispe Mamani",
        stems: "Alba Arren Barra Bel Cala Carran Cas Echeve Fuen Ibarra Iri Larra Mon Olivar Quin Rio Sala Soto Val Villa Zabal",
        endings: "dero garay mayor mendi nares rejo rría seca tegui terra verde zábal",
        tail_per_mille: 150,
    },
    Culture {
        name: "portuguese",
        origin: Origin::WestEuropean,
        weight: 20,
        language: "pt",
        script: "Latn",
        pattern: Pattern::TwoSurnames,
        nationalities: &[("PT", 650), ("BR", 300), ("AO", 50)],
        male: "José/Jose João/Joao António/Antonio Manuel/Manoel Francisco Luís/Luis/Luiz Carlos Paulo Pedro Miguel Rui/Ruy Nuno Tiago/Thiago Ricardo Fernando Joaquim Jorge Bruno Hugo Diogo Gonçalo/Goncalo André/Andre Vítor/Vitor/Victor Sérgio/Sergio Filipe/Felipe",
        female: "Maria Ana Isabel Paula Sandra Carla Teresa/Thereza Sónia/Sonia Cristina/Christina Catarina/Catharina Joana Inês/Ines Sofia/Sophia Beatriz Rita Helena/Elena Luísa/Luisa/Luiza Fernanda Patrícia/Patricia Conceição/Conceicao Fátima/Fatima Mariana Lourdes Graça/Graca",
        surnames: "Silva/da_Silva Santos/dos_Santos Ferreira Pereira Oliveira/d'Oliveira Costa/da_Costa Rodrigues/Rodriguez Martins Jesus/de_Jesus Sousa/Souza/de_Sousa Fernandes/Fernandez Gonçalves/Goncalves Gomes/Gomez Lopes/Lopez Marques/Marquez Alves/Alvez Almeida/d'Almeida Ribeiro Pinto Carvalho/de_Carvalho \
                   Teixeira Moreira Correia/Corrêa/Correa Mendes/Mendez Nunes/Nunez Soares/Soarez Vieira Monteiro Cardoso/Cardozo Rocha/da_Rocha Neves/das_Neves Coelho Cruz/da_Cruz Cunha/da_Cunha Pires Ramos Reis/dos_Reis Simões/Simoes Antunes Matos Fonseca/da_Fonseca Machado Araújo/Araujo Barbosa/Barboza Tavares Lourenço/Lourenco Castro Figueiredo Azevedo/de_Azevedo Freitas/de_Freitas",
        stems: "Alva Arru Bar Bran Cal Carva Castan Figue Fon Guima Lei Loure Mon Oli Par Pes Quei Rama Sal Var Vascon",
        endings: "celos dão deira geira lhais lho meira noso rães rosa tinho valho veira",
        tail_per_mille: 120,
    },
    Culture {
        name: "italian",
        origin: Origin::WestEuropean,
        weight: 25,
        language: "it",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("IT", 950), ("CH", 50)],
        male: "Giuseppe/Beppe Giovanni/Gianni Antonio Mario Luigi Francesco/Franco Angelo Vincenzo/Enzo Pietro Salvatore Carlo Domenico/Mimmo Bruno Paolo Michele Giorgio Aldo Sergio Luciano Andrea Marco Alessandro/Sandro Matteo Lorenzo Davide Simone Luca Niccolò/Nicolo/Nicolò Federico Stefano Roberto",
        female: "Maria Anna Giuseppina/Pina Rosa Angela Giovanna/Gianna Teresa Lucia Carmela Caterina Francesca Antonietta Carla Elena Concetta Rita Margherita Franca Paola Laura Giulia Chiara/Clara Sara Martina Valentina Alessia Federica Silvia Elisa Ilaria",
        surnames: "Rossi/Rosso Russo Ferrari/Ferraro Esposito/Sposito Bianchi/Bianco Romano Colombo Ricci/Rizzi Marino Greco/Grego Bruno Gallo/Galli Conti/Conte De_Luca/Deluca/Di_Luca Mancini Costa Giordano Rizzo Lombardi/Lombardo Moretti/Moretto Barbieri Fontana Santoro Mariani/Mariano \
                   Rinaldi/Rinaldo Caruso Ferrara Galli Martini Leone Longo Gentile Martinelli Vitale Lombardo Serra Coppola De_Santis/Desantis D'Angelo/Dangelo/D_Angelo Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini/Marino Grasso Valentini Messina D'Amico/Damico Lo_Presti/Lopresti",
        stems: "Acqua Batti Bel Bon Camp Capo Casti Cor Fiora Gamba Lanz Manz Mont Pelle Pesca Quatt Sala Sant Tor Vall Zam",
        endings: "barone cini doro etti ferro gallo grini lotti mazzi nelli otti pietra rini rosso telli verde zzano",
        tail_per_mille: 220,
    },
    Culture {
        name: "dutch",
        origin: Origin::WestEuropean,
        weight: 18,
        language: "nl",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("NL", 850), ("BE", 150)],
        male: "Jan Johannes/Hans Cornelis/Kees Hendrik/Henk Willem/Wim Pieter/Piet Gerrit Jacobus/Jaap/Ko Petrus Dirk Martin/Maarten Marcel Erik/Eric Peter Jeroen Bas/Sebastiaan Daan/Daniël Sem Thijs/Matthijs Lars Ruben Joris Sjoerd Wouter Klaas",
        female: "Maria/Ria Johanna/Hanna Anna Cornelia/Corrie Hendrika/Rika Wilhelmina/Mien Elisabeth/Els Margaretha/Greet Catharina/Katharina/Toos Petra Ingrid Monique Saskia Anouk Sanne Femke Lotte Fleur Marloes Mieke Annelies Tineke Noor Zoë/Zoe Renée/Renee",
        surnames: "de_Jong/de_Jonge Jansen/Janssen de_Vries/Devries van_den_Berg/vd_Berg/Van_Denberg van_Dijk/van_Dyk/van_Dyck Bakker/Backer Janssen/Janssens Visser Smit/Smid/Smits Meijer/Meyer/Meier de_Boer/Deboer Mulder Bos/Bosch Vos/de_Vos Peters/Peeters Hendriks/Hendrikx van_Leeuwen Dekker/Dekkers Brouwer/Brouwers \
                   de_Wit/de_Witt Dijkstra/Dykstra Smits de_Graaf/de_Graaff van_der_Meer/van_de_Meer van_der_Linden/van_der_Lind Kok/Cock Jacobs de_Haan Vermeulen van_den_Heuvel van_der_Veen van_den_Broek de_Bruijn/de_Bruyn/de_Bruin de_Bruin Schouten van_Beek Willems van_Vliet van_de_Ven Hoekstra Maas Verhoeven Koster/Coster Prins \
                   Blom/Bloem Huisman/Huysman Peeters Kuipers/Kuypers van_Veen",
        stems: "Bleijen Boer Bronk Dijk Eijken Groen Haan Hof Hooger Konings Linde Molen Nieuwen Oost Ooster Rietveld Rozen Schip Steen Veld Zand Zuid",
        endings: "berg boom burg dam dijk hout huis huizen kamp laar mans meijer stra straat veen veld",
        tail_per_mille: 180,
    },
    Culture {
        name: "nordic",
        origin: Origin::WestEuropean,
        weight: 15,
        language: "sv",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("SE", 400), ("NO", 200), ("DK", 250), ("FI", 150)],
        male: "Lars Karl/Carl Erik/Eric Anders Johan Per/Pär/Peer Nils/Niels Jan Mikael/Michael Hans Olof/Olov/Olaf Gunnar Bengt Sven/Svend Jens Søren/Soeren/Soren Jørgen/Joergen/Jorgen Magnus Björn/Bjorn/Bjørn Åke/Aake/Ake Håkan/Haakan/Hakan Mats Matti Juhani Henrik Oskar/Oscar Håvard/Haavard/Havard",
        female: "Anna Maria Margareta/Margaretha Elisabeth/Elisabet Eva Kristina/Christina/Kristin Birgitta/Birgit Karin/Carin Marie Ingrid Kirsten/Kirstin Hanne Mette Åsa/Aasa/Asa Linnéa/Linnea Astrid Solveig/Solvej Sigrid Gunilla Helena Johanna Anneli Päivi/Paivi/Paeivi Malin Signe Tove Bodil Märta/Marta",
        surnames: "Andersson/Andersen/Anderson Johansson/Johansen/Johanson Karlsson/Carlsson/Karlsen Nilsson/Nielsen/Nilsen Eriksson/Eriksen/Ericsson Larsson/Larsen/Larson Olsson/Olsen/Olson Persson/Pedersen/Person Svensson/Svendsen/Swenson Gustafsson/Gustavsson Hansen/Hansson/Hanson Jensen/Jenssen Nielsen/Nilsen \
                   Christensen/Kristensen Rasmussen Sørensen/Soerensen/Sorensen Jørgensen/Joergensen/Jorgensen Madsen Pedersen/Petersen Kristiansen/Christiansen Lindberg/Lindbergh Lindström/Lindstrom/Lindstroem Lundqvist/Lundquist Bergström/Bergstrom Sjöberg/Sjoberg/Sjoeberg Holm/Holmen Korhonen Virtanen Mäkinen/Makinen/Maekinen Nieminen Haugen Bakken Dahl/Dal \
                   Ødegård/Odegard/Oedegaard Møller/Moeller/Moller Åberg/Aberg/Aaberg Østergaard/Ostergaard/Oestergaard",
        stems: "Berg Björk Blom Dal Ek Engel Fors Gran Hall Hed Hög Kvarn Lind Ljung Lund Nord Norr Ny Öst Rosen Sand Skog Söder Strand Sund Väst Vik",
        endings: "berg blad dahl ell fors gren holm kvist lund man mark ström vall",
        tail_per_mille: 200,
    },
];
