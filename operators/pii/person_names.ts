/**
 * @module Names of people: the most usual given names of the US census of 1990, which are in the
 * public domain, and of Europe and Asia. Those that are mostly other words are left out.
 */

const givenNames: ReadonlySet<string> = new Set(
  (
    "Aaron Abby Abel Abigail Abraham Ada Adam Addie Adela Adele Adeline Adolfo Adrian Adriana " +
    "Adrienne Agnes Agnieszka Agustin Ahmed Aida Aileen Aimee Aino Akira Alan Alana Albert " +
    "Alberta Alberto Alejandra Alejandro Alex Alexander Alexandra Alexandria Alexis Alfonso " +
    "Alfred Alfredo Ali Alice Alicia Aline Alisa Alisha Alison Alissa Allan Allen Allie Allison " +
    "Allyson Alma Alonzo Alta Althea Alton Alvin Alyce Alyssa Amanda Amelia Amelie Amie Amos Amy " +
    "Ana Anastasia Anders Andre Andrea Andreas Andres Andrew Andy Angela Angelia Angelica " +
    "Angelina Angeline Angelo Angie Anil Anita Ann Anna Annabelle Anne Annette Annie Anthony " +
    "Antoine Antoinette Anton Antonia Antonio Antti Araceli Archie Arjun Arlene Arline Armando " +
    "Arnold Arthur Arturo Ashlee Ashley Astrid Attila Aubrey Audra Audrey Augusta Aurelia Aurora " +
    "Ava Avis Axel Ayşe Balázs Barbara Barbra Barry Bart Beatrice Beatriz Becky Belinda Ben " +
    "Benita Benito Benjamin Bennie Benny Bernadette Bernadine Bernard Bernd Bernice Bert Berta " +
    "Bertha Bessie Beth Bethany Betsy Bette Bettie Betty Bettye Beulah Beverly Bianca Billie " +
    "Billy Bjorn Björn Blaine Blake Blanca Blanche Bob Bobbi Bobbie Bobby Bohdan Bonita Bonnie " +
    "Boris Boyd Brad Bradford Bradley Brady Brandi Brandon Brenda Brendan Brent Bret Brett Brian " +
    "Briana Brianna Bridget Bridgette Brittany Brittney Brooke Bruce Bryan Bryant Bryce Burton " +
    "Byron Caitlin Caleb Callie Calvin Cameron Camille Candace Candice Cara Carey Carl Carla " +
    "Carlene Carlos Carlton Carly Carmela Carmella Carol Carole Caroline Carolyn Carrie Carroll " +
    "Cary Casey Cassandra Cassie Catalina Catherine Cathleen Cathy Cecelia Cecil Cecile Cecilia " +
    "Cedric Celeste Celia Cesar Chad Chandra Charlene Charles Charlie Charlotte Charmaine Chasity " +
    "Chelsea Chen Cheri Cherie Cheryl Chiara Chris Christa Christi Christie Christina Christine " +
    "Christopher Christy Chrystal Chuck Cindy Claire Clara Clare Clarence Clarice Clarissa Clark " +
    "Claude Claudette Claudia Claudine Clay Clayton Clemens Cleo Cleveland Clifford Clifton Clint " +
    "Clinton Clyde Cody Colette Colin Colleen Concepcion Connie Conrad Constance Consuelo Cora " +
    "Corey Corine Corinne Cornelia Cornelius Corrine Cory Courtney Craig Cristina Curt Curtis " +
    "Cynthia Céline Daisy Damian Damien Damon Dan Dana Daniel Danielle Danny Daphne Darcy Darin " +
    "Darla Darlene Darnell Darrel Darrell Darren Darrin Darryl Darwin Daryl Dave David Deana " +
    "Deanna Deanne Debbie Debora Deborah Debra Dee Deena Deepak Deidre Deirdre Delbert Delia " +
    "Della Delores Deloris Demetrius Dena Denis Denise Dennis Derek Derrick Desiree Desmond Devin " +
    "Devon Dewayne Dewey Dexter Diana Diane Dianna Dianne Diego Dieter Dina Dirk Dixie Dmitri " +
    "Dollie Dolly Dolores Domingo Dominic Dominick Dominique Don Dona Donald Donna Donnie Dora " +
    "Doreen Doris Dorothea Dorothy Dorthy Doug Douglas Doyle Dragan Duane Dustin Dwayne Dwight " +
    "Dylan Earlene Earline Earnest Earnestine Ebony Eddie Edgar Edith Edmond Edmund Edna Eduardo " +
    "Edward Edwin Edwina Eero Effie Efrain Eileen Ekaterina Elaine Elbert Eldon Eleanor Elena Eli " +
    "Elias Elijah Elinor Elisa Elisabeth Elise Eliza Elizabeth Ella Ellen Elliot Elliott Ellis " +
    "Elma Elmer Elnora Eloise Elsa Elsie Elton Elva Elvia Elvin Elvira Emanuel Emil Emilia Emilio " +
    "Emily Emma Emmanuel Emmett Enrique Eric Erica Erick Ericka Erik Erika Erin Erma Ernest " +
    "Ernestine Ernesto Ernie Ervin Erwin Esmeralda Esperanza Essie Esteban Estela Estella Estelle " +
    "Ester Esther Ethan Ethel Etta Eugene Eugenia Eula Eunice Eva Evan Evangeline Eve Evelyn " +
    "Everett Ewa Fabian Fannie Fatima Fay Faye Felicia Felipe Felix Ferenc Fern Fernando Flora " +
    "Florian Flossie Floyd Forrest Fran Frances Francesca Francesco Francine Francis Francisca " +
    "Francisco Frankie Franklin Franz François Fred Freda Freddie Freddy Frederick Fredrick Freja " +
    "Frida Frieda Friedrich Gabriel Gabriela Gabrielle Gail Garland Garrett Garry Gary Gayle Gena " +
    "Gene Geneva Genevieve Geoffrey Georg George Georgette Georgina Gerald Geraldine Gerard " +
    "Gerardo Gerhard Gertrude Gilbert Gilberto Gina Giorgio Giovanni Giulia Giuseppe Gladys " +
    "Glenda Glenn Glenna Gloria Goldie Goran Gordon Gracie Graciela Grady Greg Gregg Gregorio " +
    "Gregory Greta Gretchen Grover Grzegorz Guillermo Gunnar Gustav Gustavo Guy Gwen Gwendolyn " +
    "Gábor Haley Hanna Hannah Hans Harlan Harley Harold Harriet Harriett Harrison Harry Haruto " +
    "Harvey Hassan Hattie Hazel Hector Heidi Heike Heinz Helen Helena Helene Helga Henrietta " +
    "Henrik Henry Herbert Herman Hilary Hilda Hillary Hiro Hiroshi Holger Holly Homer Horace " +
    "Howard Hubert Hugh Hugo Humberto Håkan Ian Ida Ignacio Ila Ilene Imelda Imogene Ina Inez " +
    "Ingeborg Ingrid Ion Ira Irene Irina Irma Irvin Irving Isaac Isabel Isabelle Ismael Israel " +
    "István Iva Ivan Jacek Jack Jackie Jaclyn Jacob Jacqueline Jacquelyn Jaime Jake Jamal James " +
    "Jami Jamie Jan Jana Jane Janelle Janet Janette Janice Janie Janine Janis Janna Janusz Jared " +
    "Jarrod Jasmine Jason Jasper Javier Jay Jayne Jean Jeanette Jeanie Jeanine Jeanne Jeannette " +
    "Jeannie Jeannine Jeff Jeffery Jeffrey Jelena Jenifer Jenna Jennie Jennifer Jenny Jens Jerald " +
    "Jeremiah Jeremy Jeri Jermaine Jerome Jerri Jerry Jesper Jess Jesse Jessica Jessie Jesus " +
    "Jewell Jill Jillian Jim Jimmie Jimmy Jing Jiří Joan Joann Joanna Joanne Joao Joaquin Jocelyn " +
    "Jodi Jodie Jody Joe Joel Joey Johann Johanna Johannes John Johnathan Johnnie Johnny Jolene " +
    "Jon Jonas Jonathan Jonathon Joni Jordan Jorge Jose Josefa Josefina Joseph Josephine Josh " +
    "Joshua Josie José Joyce João Juan Juana Juanita Judith Judy Juha Julia Julian Juliana " +
    "Julianne Julie Juliette Julio Julius Justin Justine Jörg Jürgen Kara Karen Kari Karin Karina " +
    "Karl Karla Kasey Kasper Katalin Katarina Katarzyna Kate Katelyn Katharine Katherine Kathie " +
    "Kathleen Kathrine Kathryn Kathy Katie Katrina Katy Kavita Kay Kaye Kayla Keisha Keith Kelley " +
    "Kelli Kellie Kelly Kelsey Kelvin Ken Kendall Kendra Kenji Kenneth Kenny Kent Kenta Keri " +
    "Kermit Kerri Kerry Kevin Kim Kimberley Kimberly Kirk Kirsten Kjell Klaus Knut Kris Krista " +
    "Kristen Kristi Kristie Kristin Kristina Kristine Kristopher Kristy Krystal Krzysztof Kurt " +
    "Kyle Lacey Ladonna Lakeisha Lakisha Lakshmi Lamar Lamont Lana Lara Larry Lars Laszlo Latasha " +
    "Latisha Latonya Latoya Laura Laurel Lauren Laurence Laurie Laverne Lavonne Lawanda Lawrence " +
    "Lea Leah Leann Leanne Lee Leif Leigh Leila Lela Leland Lena Lenora Lenore Leo Leola Leon " +
    "Leona Leonard Leonardo Leonor Leroy Lesley Leslie Lester Letha Leticia Levi Lewis Lidia Lila " +
    "Lilia Lilian Lillian Lillie Lilly Lily Lina Linda Lindsay Lindsey Linnea Lionel Lisa Liza " +
    "Lizzie Lloyd Logan Lois Lola Lonnie Lora Loraine Loren Lorena Lorene Lorenzo Loretta Lori " +
    "Lorie Lorna Lorraine Lorrie Lottie Lou Louie Louis Louisa Louise Lourdes Lowell Luann Luca " +
    "Lucas Lucia Lucile Lucille Lucinda Lucy Luella Luis Luisa Lukas Luke Lula Lupe Luther Luz " +
    "Lydia Lyle Lynda Lynette Lynn Lynne László Léa Mabel Mable Mack Madeline Madelyn Madge Mae " +
    "Magdalena Maggie Magnus Malcolm Malgorzata Malinda Mallory Mamie Mandy Manuel Manuela Marc " +
    "Marcella Marci Marcia Marcie Marco Marcos Marcus Marcy Marek Margaret Margarita Margery " +
    "Margie Margo Margret Marguerite Mari Maria Marian Marianne Maribel Maricela Marie Marietta " +
    "Marilyn Marina Mario Marion Marisa Marisol Marissa Maritza Marjorie Marko Markus Marla " +
    "Marlene Marlon Marsha Marshall Marta Martha Martin Martina Marty Marva Marvin Mary Maryann " +
    "Maryanne Marylou María Mathew Mathias Mathieu Matilda Matt Matteo Matthew Matti Mattie Maude " +
    "Maureen Maurice Mavis Max Maximilian Maxine Mayra Meagan Megan Meghan Mehmet Melanie Melba " +
    "Melinda Melisa Melissa Melva Melvin Mercedes Meredith Merle Mette Mia Micah Michael Michal " +
    "Micheal Michel Michele Michelle Mickey Miguel Mihai Mikael Mike Milagros Milan Mildred " +
    "Millie Milton Mindy Minerva Ming Minnie Miranda Miriam Mitchell Mitzi Mohamed Mohammed " +
    "Mollie Molly Mona Monica Monika Monique Monte Morgan Morris Morten Moses Muhammad Muriel " +
    "Murray Myra Myrna Myron Myrtle Nadia Nadine Nancy Nanette Nannie Naomi Natalia Natalie " +
    "Natasha Nathan Nathaniel Neal Neil Nelda Nell Nellie Nelson Nettie Neva Nicholas Nichole " +
    "Nick Nicolas Nicole Niels Nikki Nikola Nikolai Nils Nina Nita Noah Noel Noemi Nola Nolan " +
    "Nona Nora Norbert Noreen Norma Norman Odessa Ofelia Oksana Ola Olaf Olga Oliver Olivia Ollie " +
    "Omar Opal Ophelia Ora Orlando Orville Oscar Otis Otto Owen Pablo Paige Pam Pamela Paolo " +
    "Patrica Patrice Patricia Patrick Patsy Patti Patty Paul Paula Paulette Pauline Paulo Pavel " +
    "Pearlie Pedro Peggy Pekka Penelope Penny Per Percy Perry Pete Peter Petra Phil Philip " +
    "Philipp Phillip Phyllis Pierre Piotr Polly Preston Priscilla Priya Quentin Quinton Rachael " +
    "Rachel Rachelle Radu Rae Rafael Rahul Raj Ralph Ramiro Ramon Ramona Randal Randall Randi " +
    "Randolph Randy Raquel Rasmus Raul Ravi Raymond Reba Rebecca Rebekah Regina Reginald Rena " +
    "Renate Rene Renee Reuben Reva Rex Reynaldo Rhoda Rhonda Ricardo Richard Rick Rickey Ricky " +
    "Rita Robbie Robert Roberta Roberto Robin Robyn Rochelle Rod Roderick Rodger Rodney Rodolfo " +
    "Rogelio Roger Roland Rolando Rolf Roman Ron Ronald Ronda Ronnie Roosevelt Rosa Rosalie " +
    "Rosalind Rosalinda Rosalyn Rosanne Rosario Roscoe Roseann Rosemarie Rosemary Rosetta Rosie " +
    "Roslyn Ross Roxanne Roxie Roy Royce Ruben Rudolph Rudy Rufus Russel Russell Ruth Ruthie Ryan " +
    "Sabine Sabrina Sadie Sakura Sallie Sally Salvador Salvatore Sam Samantha Sammy Samuel Sandra " +
    "Sandy Sanjay Santiago Santos Sara Sarah Sasha Saul Saundra Scott Scotty Sean Sebastian " +
    "Selena Selma Serena Sergei Sergio Seth Shana Shane Shanna Shannon Shari Sharon Sharron Shaun " +
    "Shauna Shawn Shawna Sheena Sheila Shelby Sheldon Shelia Shelley Shelly Sheree Sheri Sherman " +
    "Sherri Sherrie Sheryl Shirley Sidney Sigrid Silvia Simon Simone Socorro Sofia Sofie Solomon " +
    "Sondra Sonia Sonja Sonya Sophia Sophie Spencer Stacey Staci Stacie Stacy Stan Stanley Stefan " +
    "Stefanie Stefano Stella Stephan Stephanie Stephen Steve Steven Stewart Stuart Susan Susana " +
    "Susanna Susanne Susie Suzanne Suzette Sven Svetlana Sybil Sylvester Sylvia Søren Tabatha " +
    "Tabitha Takashi Tamara Tameka Tami Tamika Tammi Tammie Tammy Tania Tanisha Tanya Tara Tasha " +
    "Tatiana Ted Teddy Terence Teresa Teri Terrance Terrell Terrence Terri Terrie Terry Tessa " +
    "Thelma Theodore Theresa Therese Thomas Tia Tiffany Timmy Timo Timothy Tina Tobias Toby Todd " +
    "Tom Tomas Tomasz Tommie Tommy Tomás Toni Tonia Tony Tonya Tor Torsten Tracey Traci Tracie " +
    "Tracy Travis Trent Trevor Tricia Trina Trisha Trond Troy Trudy Tyler Tyrone Tyson Ulrich " +
    "Ursula Uwe Valarie Valeria Valerie Vance Vanessa Velma Vera Verna Vernon Veronica Vicente " +
    "Vicki Vickie Vicky Victor Victoria Ville Vincent Viola Violet Virgie Virgil Vivian Vladimir " +
    "Wallace Walter Wanda Warren Wayne Wei Wendell Wendi Wendy Werner Wesley Whitney Wilbert " +
    "Wilbur Wilfred Wilfredo Willa Willard William Williams Willie Willis Wilma Wilson Winifred " +
    "Winnie Winston Wolfgang Woodrow Xavier Xiao Yan Yesenia Ying Yoko Yolanda Yuki Yuri Yusuf " +
    "Yvette Yvonne Zachary Zelma Zeynep Zoe Zofia Zoltán Zoran Zsófia Åsa Åse Øyvind"
  ).toLowerCase().split(" "),
);

const particles =
  /^(?:van|von|der|den|de|da|di|del|della|dos|du|la|le|el|al|bin|ibn|ter|ten|zu|y)$/i;
const titles = /^(?:mr|mrs|ms|miss|dr|prof|sir|herr|frau|mme|mlle|sr|sra|dame|lord|lady)\.?$/i;
const companyWord =
  /\b(?:inc|corp|corporation|co|company|companies|ltd|limited|llc|llp|lp|plc|ag|gmbh|sa|nv|bv|se|spa|ab|asa|oyj|kk|group|holdings?|bank|trust|fund|etf|index|capital|partners|industries|systems|technolog(?:y|ies)|pharma\w*|energy|insurance|international|global|services|solutions|university|school|hospital|street|avenue|road|city|county)\b\.?/i;
const word = /^\p{Lu}[\p{L}'’.-]*$/u;

/** Is a text the name of a person and nothing else: two to five words, one of them a given name? */
export function isPersonName(text: string): boolean {
  if (text.length > 60 || /[\d@/\\_]/.test(text) || companyWord.test(text)) return false;
  const words = text.replace(/^([^,]+), (.+)$/, "$2 $1").split(/\s+/)
    .filter((each) => !titles.test(each));
  if (words.length < 1 || words.length > 5) return false;
  const isCapital = text === text.toUpperCase();
  if (!words.every((each) => isCapital || word.test(each) || particles.test(each))) return false;
  const given = words.some(isGivenName);
  return words.length === 1 ? given && text.length > 2 : given;
}

/** Is a word one of the usual given names? */
export function isGivenName(text: string): boolean {
  return givenNames.has(text.toLowerCase().replace(/[.,]$/, ""));
}
